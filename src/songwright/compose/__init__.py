"""Brief to Song: form, harmony, melody and arrangement, each a function from plain data to plain data."""
