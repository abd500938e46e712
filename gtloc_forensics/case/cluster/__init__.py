"""Many machines: an examination shared out to workers through an existing engine, Dask distributed.

``shards`` is what is shared out, ``listing`` how it is kept, ``assignment`` who gets what and what happens when a
worker dies, ``spool`` the results that lie in the case folder, ``driver`` what puts these together and stands beside
``inline`` and ``threads``. On a worker ``slots`` holds processes that may die and ``examining`` is what they do.
Only ``dask_engine``, ``slots`` and ``machines`` know the engine.
"""
