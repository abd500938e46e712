"""Object stores and file servers as evidence: ``s3://``, ``gs://``, ``abfs://``, ``sftp://`` and ``smb://`` addresses.

:mod:`addresses` says what an address is and refuses those that carry a secret,
:mod:`connections` opens one through fsspec with bounded retries and the credentials of
the usual places, :mod:`objects` lists and reads, :mod:`troubles` puts what goes wrong
into words, and :mod:`store` is the evidence itself. Nothing here writes to a store, and
nothing is imported or connected before somebody names such an address.
"""
