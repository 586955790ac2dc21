"""What Google's two surfaces share: request bodies, replies, refusals and their provider."""
