/** The levels of R1, from safe to lost. Warning, call and close-out are three things. */
export const LEVELS = ["HEALTHY", "WARNING", "CALL", "RESTRICTED", "CLOSE_OUT", "BACKSTOP", "DEFAULT"] as const;
export type Level = (typeof LEVELS)[number];
