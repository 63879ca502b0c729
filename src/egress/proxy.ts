import { Socket } from "node:net";

import type { buildConnector, Dispatcher } from "undici";

import { AppError } from "#core/errors.ts";
import type { Secret } from "#core/secret.ts";
import { trustOf } from "#core/trust.ts";

import { problemOf } from "./failures.ts";
import { basicOf } from "./redirects.ts";

/** The owner's own proxy; it carries what goes beyond the home network. */
export interface OwnersProxy {
  /** Its origin, http or https. */
  readonly url: string;
  /** Its name and password as `name:password`; undefined where it wants none. */
  readonly login: Secret | undefined;
}

type Connector = buildConnector.connector;
type Target = buildConnector.Options;

const ports: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

function loginOf({ login }: OwnersProxy): Record<string, string> {
  return login === undefined ? {} : { "proxy-authorization": basicOf(login.reveal()) };
}

/** A proxy as it is reached. */
export interface ProxyWay {
  readonly proxy: OwnersProxy;
  /** The connections to it for one request, which is on record when this resolves. */
  readonly reach: () => Promise<Dispatcher>;
}

/** A tunnel through the proxy to the host and port of a connection (RFC 9110, 9.3.6); rejects with an AppError. */
async function tunnel({ proxy, reach }: ProxyWay, target: Target): Promise<Socket> {
  const { host = target.hostname, port, protocol } = target;
  const path = port === "" ? `${host}:${ports[protocol]}` : host;
  try {
    const headers = { host: path, ...loginOf(proxy) };
    const { origin } = new URL(proxy.url);
    const reached = await reach();
    const { socket, statusCode } = await reached.connect({ origin, path, headers });
    if (statusCode === 200 && socket instanceof Socket) return socket;
    socket.on("error", () => {}).destroy();
    throw new AppError("door.unreachable", { host, problem: `the proxy answered ${statusCode}` });
  } catch (error) {
    if (error instanceof AppError) throw error;
    const problem = `by the proxy: ${problemOf(error)}`;
    throw new AppError("door.unreachable", { host, problem }, { cause: error });
  }
}

/** Connects through the proxy to hosts beyond the home network, which alone it is told of, and directly to all others. */
export function throughProxy(direct: Connector, way: ProxyWay): Connector {
  async function far(target: Target, done: buildConnector.Callback): Promise<void> {
    let httpSocket: Socket;
    try {
      httpSocket = await tunnel(way, target);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), null);
      return;
    }
    if (target.protocol === "https:") direct({ ...target, httpSocket }, done);
    else done(null, httpSocket);
  }
  return (target, done) => {
    if (trustOf(target.hostname) === "cloud") void far(target, done);
    else direct(target, done);
  };
}
