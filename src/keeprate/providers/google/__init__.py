"""What Google's two surfaces share: request bodies, replies, refusals, and the one way to send."""
