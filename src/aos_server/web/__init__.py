"""The inbox: pages on which a person sees what is asked for, what it will cost and do, and decides. No script runs.

inbox       the application: a browser's session becomes the credential that it holds, an error a page
routes      which page and which form is where
pages       what one looks at
card        what the card says, from the sentences of the terminal's card, and what one may do about it
deciding    what one decides, by the services that the API calls
login       in and out
forms       what forms send, held against the limits of the API
site        which pages may send forms; cookies
render      templates, in which every value is text
"""
