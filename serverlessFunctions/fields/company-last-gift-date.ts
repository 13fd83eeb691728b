import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '919c7b3f-fbe4-434c-9704-51c440b04957',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.DATE,
  name: 'lastGiftDate',
  label: 'Last gift date',
  description: 'Day of the latest gift; kept by the rollup engine',
  icon: 'IconCalendar',
});
