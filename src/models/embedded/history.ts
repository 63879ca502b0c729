import type { ChatHistoryItem, ChatModelFunctionCall, ChatModelResponse } from "node-llama-cpp";

import type { EngineRequest } from "./protocol.ts";

type Message = EngineRequest["messages"][number];

/** The model's turn that is being written; one is begun where the last item is none. */
function modelTurn(items: ChatHistoryItem[]): ChatModelResponse {
  const last = items.at(-1);
  if (last?.type === "model") return last;
  const turn: ChatModelResponse = { type: "model", response: [] };
  items.push(turn);
  return turn;
}

function callWithResult(
  messages: readonly Message[],
  callId: string,
): ChatModelFunctionCall | undefined {
  const call = messages
    .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
    .find((candidate) => candidate.id === callId);
  const result = messages.find((message) => message.role === "tool" && message.callId === callId);
  if (call === undefined || result === undefined) return undefined;
  return { type: "functionCall", name: call.name, params: call.input, result: result.text };
}

/** A prompt as the engine's chat history, ending with the model's turn that it is to write or go on with. */
export function toHistory(messages: readonly Message[]): ChatHistoryItem[] {
  const items: ChatHistoryItem[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      const call = callWithResult(messages, message.callId);
      const turn = modelTurn(items);
      if (call !== undefined) turn.response.push(call);
    } else if (message.role === "assistant") {
      const turn = modelTurn(items);
      if (message.text !== "") turn.response.push(message.text);
    } else items.push({ type: message.role, text: message.text });
  }
  modelTurn(items);
  return items;
}
