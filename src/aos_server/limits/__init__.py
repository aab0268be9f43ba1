"""How much and how often: what keeps one client from taking the server away from the others.

failures.toml   every class of requests: how often, and what happens when a dependency is gone. The one place
matrix          that file, read
rates           requests a minute, by tenant, subject and class (GCRA in Redis, or in the process)
breaker         when to stop asking a dependency that does not answer
sizes           how large and how slow a request may be
body            ASGI middleware: the body, and the time for the whole request
protocol        uvicorn's HTTP protocol with limits for headers and slow clients, where ASGI comes too late
answers         problem documents, as bytes
"""
