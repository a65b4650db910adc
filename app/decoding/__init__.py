"""Strangers' pictures, decoded in processes that may be killed: the pool, its queue, the child."""
