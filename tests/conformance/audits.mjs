// Runs the audits of GraphQL over HTTP against the endpoint in URL, with the header in AUTHORIZATION where there is one,
// and prints their results as one JSON array.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The package is not in a folder above this one, where an import would look for it.
const installed = createRequire(process.env.PACKAGES);
const { auditServer } = await import(pathToFileURL(installed.resolve('graphql-http')).href);
const { URL: url, AUTHORIZATION: authorization } = process.env;

function fetchSignedIn(input, init = {}) {
  return fetch(input, { ...init, headers: { ...init.headers, ...(authorization && { authorization }) } });
}

const results = await auditServer({ url, fetchFn: fetchSignedIn });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }));
console.log(JSON.stringify(told));
