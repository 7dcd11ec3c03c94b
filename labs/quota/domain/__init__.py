"""The arithmetic of quota: pure functions over whole GPU-seconds."""
