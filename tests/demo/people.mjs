/**
 * All people of a sandbox, by donor number. Read with an app token, which the sandbox does not count, so that looking
 * at the result does not spend what the engine has to live on.
 */
export class People {
  #byDonor;

  constructor(people) {
    this.#byDonor = new Map(people.map((person) => [person.emails.primaryEmail.match(/^donor-(.*)@/)[1], person]));
  }

  static async read({ url }) {
    const { token } = await (await fetch(`${url}/__sandbox/app-token`, { method: 'POST' })).json();
    const people = [];
    let after = '';
    for (;;) {
      const response = await fetch(`${url}/rest/people?limit=200${after}`, { headers: { authorization: `Bearer ${token}` } });
      const { data, pageInfo } = await response.json();
      people.push(...data.people);
      if (!pageInfo.hasNextPage) return new People(people);
      after = `&starting_after=${encodeURIComponent(pageInfo.endCursor)}`;
    }
  }

  donors() {
    return [...this.#byDonor.keys()].sort();
  }

  of(donor) {
    return this.#byDonor.get(donor);
  }
}
