"""Recipients' systems behind the port Connector: one module for each kind, and the registry that picks one."""
