"""The outer wall: API Gateway's own usage plans and keys, which keep floods from the functions, by best effort."""
