"""The node agent: what runs on a GPU server. No Django, no database: it talks to the node API with its own token."""

VERSION = "1.0"
