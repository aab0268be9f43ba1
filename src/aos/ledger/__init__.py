"""The ledger: what happened on this machine, in one SQLite file. It is added to, never changed.

`entries` hold everything, chained by hashes; the other tables are made from them, by `apply`, in the same transaction.
"""
