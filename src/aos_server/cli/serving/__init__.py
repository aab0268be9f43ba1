"""The commands whose processes serve or work, and the look at this machine that comes before."""
