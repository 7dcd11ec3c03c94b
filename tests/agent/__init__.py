"""The node agent against a small campus that speaks the node API, with real sandboxes, and against the real one."""
