// The rules that keep the cluster safe when two servers both take themselves for the primary. If any one is taken away,
// the model finds a violation.

export const SERVER_RULES = [
  { name: "proof", description: "A read counts without a renewal that was confirmed less than the ttl ago." },
  { name: "same-server", description: "The renewal that proves a read may have been confirmed by another server." },
  { name: "from-before", description: "The age of a proof is counted from its answer, not from before the question." },
  { name: "old-leases", description: "A new primary decides before the leases of the old one have ended." },
  {
    name: "says-it-left",
    description: "A device has left the old primary when its renewal arrives at the new one, before it has the answer.",
  },
  { name: "own-clock", description: "Times of the old primary's clock are compared with the new one's." },
  {
    name: "answer-waits",
    description: "A statement that finds a write landed answers without waiting for the standby.",
  },
  { name: "ended-wait", description: "A decision whose wait for the standby was ended counts as landed." },
  { name: "log-confirmed", description: "A disk takes over what the standby may not have yet." },
  { name: "same-log", description: "Any server may confirm a value that was read from another one." },
  { name: "drop-leaves-row", description: "A write that has no row is dropped without one." },
  { name: "stop-looks", description: "A repository is stopped without asking this server whether the disk is ahead." },
] as const;

export type ServerRule = (typeof SERVER_RULES)[number]["name"];
