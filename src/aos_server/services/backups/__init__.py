"""Backups: made, tried by restoring them, kept for a while, restored.

manifest   what a backup says of itself, and whether it can be believed
folder     where backups are: the truth about which there are
making     a dump and what is in the database, of one snapshot
trial      a restore into a scratch database, compared with what the manifest says
restoring  a restore that takes the place of a database
retention  which are kept, and why
documents  how they are told
orders     those that were asked for over the API, and what the server knows of the folder
"""
