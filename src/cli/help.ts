/** What stands above the options of `agent --help`. */
export const examples = `
Examples:
  agent "Write a haiku about coding"
  agent @code "A shell line that counts TODOs in src"
  git diff | agent "Explain this change" -
  agent --new --tier smart "Plan a week in Lisbon"
  agent                               a chat; /help says what can be written there
`;

/** What stands below the commands of `agent --help`. */
export const closing = `
Answers and data go to stdout, everything else to stderr. While a service runs (agent serve), every
command talks to it; where none runs, a command does the work itself. Each command has a page of its
own: agent COMMAND --help.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 not set up (no model), 4 unreachable, 5 refused,
75 try later, 130 stopped.`;

/** Characters of a line of help. */
export const helpWidth = 100;
