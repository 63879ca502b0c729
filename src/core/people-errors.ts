/** The part of the one table that is about people, their codes and the bots that they talk to. */
export const peopleErrors = {
  "people.unknown": {
    say: 'There is no member called "{name}": agent people lists everybody.',
    exit: 2,
  },
  "people.ambiguous": {
    say: 'More than one member is called "{name}": remove their accounts one by one with agent people unlink.',
    exit: 2,
  },
  "people.owner": {
    say: "The owner cannot be removed; an account of the owner's can, with agent people unlink.",
    exit: 2,
  },
  "people.not-owner": { say: "Only the owner of this agent can do that.", exit: 5 },
  "people.name": {
    say: "A member's name is letters, digits, spaces and . ' -, at most {limit} of them: choose another one.",
    exit: 2,
  },
  "people.name-taken": {
    say: "Somebody here is called {name} already: choose another name, or remove that one first.",
    exit: 2,
  },
  "people.no-account": {
    say: 'There is no account "{account}" here, or more than one: write one as agent people lists it, such as telegram:123456789.',
    exit: 2,
  },
  "people.configured": {
    say: "{account} stands in config/bots.local.yaml: take {accountId} out of {platform}.owners there and start the service again.",
    exit: 2,
  },
  "people.no-code": { say: "A code is six digits, such as 482 913.", exit: 2 },
  "people.wrong-code": {
    say: "That code is wrong, used or too old: write to the bot again after ten minutes, and it shows a new one.",
    exit: 2,
  },
  "people.not-paired": {
    say: "Nobody wrote the code to the bot in time: run agent serve, then agent people pair for a new one.",
    exit: 75,
  },
  "bot.no-token": {
    say: "That is no bot's token: copy the whole line that @BotFather gives, such as 123456789:AAF-x7..., and run agent setup telegram again.",
    exit: 2,
  },
  "bot.wrong-token": {
    say: "Telegram refuses this token, so it is mistyped or revoked: copy it again from @BotFather (/mybots, API Token) and run agent setup telegram again.",
    exit: 3,
  },
  "bot.unreachable": {
    say: "Telegram could not be asked ({problem}): check the network, or telegram.api_root in config/bots.local.yaml, and run agent setup telegram again.",
    exit: 4,
  },
} as const;
