/** A chat as the API addresses it, and the topic where there is one. */
export interface Where {
  readonly chat: number;
  readonly topic: { readonly message_thread_id?: number };
  /** A chat with one person. */
  readonly isPrivate: boolean;
}

/** The parts of an address: the chat's number, and after a slash the topic's. */
export function whereOf(address: string): Where {
  const [chat, topic] = address.split("/");
  return {
    chat: Number(chat),
    topic: topic === undefined ? {} : { message_thread_id: Number(topic) },
    isPrivate: Number(chat) > 0,
  };
}
