// Runs the broadcasting handler of AWS's simple chat sample against an endpoint of our choice:
// `node chat_sample.mjs FOLDER ENDPOINT`, one event per line in, what the handler returned out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, endpoint] = process.argv.slice(2);
const { protocol, hostname, port, pathname } = new URL(endpoint);
const { ApiGatewayManagementApiClient: Client } = createRequire(`${folder}/`)(
  "@aws-sdk/client-apigatewaymanagementapi",
);

// The handler builds AWS's own address; everything else of its client stays as the SDK has it.
const send = Client.prototype.send;
Client.prototype.send = function (...given) {
  this.config.endpoint = async () => ({ protocol, hostname, port: Number(port), path: pathname });
  return send.apply(this, given);
};

const { handler } = await import(pathToFileURL(`${folder}/app.js`));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await handler(JSON.parse(line))));
}
