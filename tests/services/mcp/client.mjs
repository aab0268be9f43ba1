// Asks `aos mcp` what an agent would, by the protocol's library in another language, and prints what it was told.
// node client.mjs PROGRAM WORD... : the plan to ask about is on standard input.

import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(0, "utf-8"));
const client = new Client({ name: "other", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" }));

const { tools } = await client.listTools(); // which compiles every outputSchema, and holds each answer against it
const progress = [];
const asked = { name: "simulate_plan", arguments: { plan, deadline_ms: 800 } };
const verdict = await client.callTool(asked, undefined, { onprogress: (told) => progress.push(told.progress) });
const wrong = await client.callTool({ name: "check_plan", arguments: { plan: [{ skill: "http_cal" }] } });
const others = await Promise.all(
  ["list_skills", "capabilities"].map((name) => client.callTool({ name, arguments: {} })),
);
const { contents } = await client.readResource({ uri: "aos://guide" });
const refused = await client.callTool({ name: "approve", arguments: {} }).catch((error) => error.code);
await client.close();

console.log(
  JSON.stringify({
    server: client.getServerVersion().name,
    tools: tools.map((tool) => tool.name),
    verdict: verdict.structuredContent,
    progress,
    wrong: [wrong.isError, wrong.structuredContent.code],
    others: others.map((answer) => answer.structuredContent.schema),
    guide: contents[0].text.split("\n")[0],
    refused,
  }),
);
