"""Sound on its way: queues, conversions, containers. Bytes until somebody must look inside."""
