"""What use cases need from the world. Every port has a fake and an adapter, held to one contract by the same tests.

An adapter that cannot reach its service raises UnavailableError; nothing it was asked to store may be relied on.
"""
