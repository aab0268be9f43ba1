"""One module per noun of the API: what is asked, which service answers, how the answer is written."""
