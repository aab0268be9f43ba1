"""What an agent can ask: tools, resources and a prompt over MCP, spoken on standard input and output.

`setup` is what whoever starts it allows, `tool` what a tool is, `tools` has them all, `server` and `stdio` speak the
protocol. The library `mcp` takes a second to load: only functions of `server` and `stdio` import it.
"""
