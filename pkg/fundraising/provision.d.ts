/** What a run of {@link provision} did; names are like `gift` and `gift.amount`. */
export interface Provisioned {
  made: string[];
  /** How many objects and fields were there already. */
  present: number;
}

/**
 * Makes what a workspace lacks of the data model, through its metadata API.
 *
 * @param env `TWENTY_API_BASE_URL`, `TWENTY_API_KEY` and `FUNDRAISING_MODEL`; the process's own where it is left out
 */
export function provision(env?: Record<string, string | undefined>): Promise<Provisioned>;
