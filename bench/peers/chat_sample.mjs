// The entry of a Lambda around the broadcasting handler of AWS's simple chat sample (`app.js`, beside
// it in the package), which posts to the ENDPOINT of our choice.
import { createRequire } from "node:module";

const { ApiGatewayManagementApiClient: Client } = createRequire(import.meta.url)(
  "@aws-sdk/client-apigatewaymanagementapi",
);
const { protocol, hostname, port, pathname } = new URL(process.env.ENDPOINT);

// The handler builds AWS's own address; everything else of its client stays as the SDK has it.
const send = Client.prototype.send;
Client.prototype.send = function (...given) {
  this.config.endpoint = async () => ({ protocol, hostname, port: Number(port), path: pathname });
  return send.apply(this, given);
};

export const { handler } = await import("./app.js");
