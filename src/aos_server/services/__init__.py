"""What the server does, one module per noun: open the transaction, load, apply the domain's rule, save, write down."""
