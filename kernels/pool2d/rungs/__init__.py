"""The faster versions of pooling, one idea a file; the page of the family lists them."""
