"""The faster versions of convolution, one idea a file; the page of the family lists them."""
