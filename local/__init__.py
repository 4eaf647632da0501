"""The local stack: the deployed template running on one computer, without Docker and without an AWS account."""
