/** Writes of the chat line; a kill falls before each, or after its commit and before its promise is seen. */
export const storeWrites = [
  "receive",
  "chatAt",
  "takeMessage",
  "amendMessage",
  "steerTask",
  "takeSteers",
  "startTask",
  "addSteps",
  "askPerson",
  "answerQuestion",
  "finishTask",
  "addParts",
  "beginAnswer",
  "placed",
  "sent",
  "tried",
  "cancelTasks",
  "newConversation",
  "setChat",
  "handled",
  "heard",
  "forgetUpdates",
] as const;

/** Calls that a kill falls on: before it is taken, before its response, and after it. */
const calls = [
  "getMe",
  "getUpdates",
  "sendMessage",
  "editMessageText",
  "sendRichMessageDraft",
  "sendChatAction",
  "setMessageReaction",
  "answerCallbackQuery",
] as const;

const stages = ["arrived", "taken", "answered"] as const;

/** Where a process is killed: at a write of its store, at a call seen from outside, or at no place in particular. */
export type Point =
  | { readonly type: "store"; readonly name: string }
  | { readonly type: "call"; readonly name: string }
  | { readonly type: "random"; readonly name: "at random" };

/** Every point that has a name, and as many random ones as a third of those. */
export function allPoints(): Point[] {
  const store = storeWrites.flatMap((write): Point[] => [
    { type: "store", name: `before ${write}` },
    { type: "store", name: `after ${write}` },
  ]);
  const outside = calls.flatMap((call) =>
    stages.map((stage): Point => ({ type: "call", name: `${call} ${stage}` })),
  );
  const named = [...store, ...outside];
  const random = Array.from({ length: Math.ceil(named.length / 3) }, (): Point => {
    return { type: "random", name: "at random" };
  });
  return [...named, ...random];
}
