"""The faster versions of products with a sparse matrix, a file each."""
