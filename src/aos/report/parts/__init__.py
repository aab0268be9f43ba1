"""What reports are made of: pages of text and of HTML, small pictures."""
