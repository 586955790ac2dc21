"""What is remembered besides the money: requests that can be answered again."""
