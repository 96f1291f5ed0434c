"""The event language of the learned composer: `Song` to integer streams and back, and what training cuts from them."""
