// Receives webhooks on 127.0.0.1: `node receiver.mjs SECRETS_FILE [PORT]`, after `npm ci`.
// The file has a secret per line: one, or two while a key is being replaced. It is read for every message.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const [, , secretsFile, port = "9000"] = process.argv;
const seen = new Set(); // in a database it survives a restart

/** Whether one of the live secrets has signed it. */
function verified(body, headers) {
  const secrets = readFileSync(secretsFile, "utf8").split("\n").filter(Boolean);
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString(); // as it arrived, before anything parses it
    const id = request.headers["webhook-id"];
    if (!verified(body, request.headers)) {
      response.writeHead(401).end("not signed by a live secret");
      return;
    }
    if (!seen.has(id)) console.log("received", id, body);
    seen.add(id);
    response.end("ok"); // a message that was here before is fine, too
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("listening", server.address().port));
