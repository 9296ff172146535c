// Loaded into every Lambda process of the emulator that runs Node (NODE_OPTIONS=--require).
//
// AWS Lambda's Node runtimes bring the AWS SDK for JavaScript; this machine has none. A handler that requires
// "@aws-sdk/client-<service>" gets a client here that hands operation and parameters to the emulator, which makes the
// same call through boto3 against itself (ops/emulator/sdk.py). A handler that bundles the real SDK keeps it.
"use strict";
const http = require("http");
const Module = require("module");

const CLIENT = /^@aws-sdk\/client-([a-z0-9-]+)$/;

function call(service, operation, parameters, config) {
  const region = (config && typeof config.region === "string" && config.region) || process.env.AWS_REGION;
  const body = JSON.stringify({ service, operation, region, parameters: parameters || {} });
  const target = new URL("/_emulator/sdk", process.env.AWS_ENDPOINT_URL);
  return new Promise((resolve, reject) => {
    const request = http.request(target, { method: "POST", headers: { "content-type": "application/json" } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString());
        if (!answer.error) {
          resolve(answer.result);
          return;
        }
        const error = new Error(answer.error.message);
        error.name = error.code = error.Code = answer.error.code;
        error.$metadata = { httpStatusCode: answer.error.status };
        reject(error);
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function clientModule(service) {
  const commands = new Map();

  // `new S3Client(config).send(new ListObjectsCommand(input))` and `new S3(config).listObjects(input)`
  class Client {
    constructor(config) {
      this.config = config || {};
      return new Proxy(this, {
        get(target, name) {
          if (name in target || typeof name !== "string" || name === "then") return target[name];
          return (input) => call(service, name[0].toUpperCase() + name.slice(1), input, target.config);
        },
      });
    }
    send(command) {
      return call(service, command.operation, command.input, this.config);
    }
    destroy() {}
  }

  function commandClass(operation) {
    if (!commands.has(operation)) {
      commands.set(operation, class {
        constructor(input) {
          this.operation = operation;
          this.input = input || {};
        }
      });
    }
    return commands.get(operation);
  }

  // The names stand on the prototype: bundlers copy own properties to an object of the same prototype.
  return Object.create(new Proxy({}, {
    get(_, name) {
      if (typeof name !== "string" || name === "then" || name === "__esModule") return undefined;
      if (name.endsWith("Command")) return commandClass(name.slice(0, -"Command".length));
      if (name.startsWith("waitUntil")) return async () => ({ state: "SUCCESS" });
      if (/(Exception|Error|NotFound)$/.test(name)) return class extends Error {};
      return /^[A-Z]/.test(name) ? Client : undefined;
    },
  }));
}

const load = Module._load;
const modules = new Map();
Module._load = function (id, ...rest) {
  const match = CLIENT.exec(id);
  if (!match) return load.call(this, id, ...rest);
  try {
    return load.call(this, id, ...rest);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
  }
  if (!modules.has(match[1])) modules.set(match[1], clientModule(match[1]));
  return modules.get(match[1]);
};
