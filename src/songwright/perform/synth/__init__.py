"""The built-in synthesiser: oscillators, filters, envelopes, drums, and gestures of noise."""
