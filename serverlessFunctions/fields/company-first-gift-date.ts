import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '28c7a5db-ddaa-4629-bc33-24fc21ee2804',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.DATE,
  name: 'firstGiftDate',
  label: 'First gift date',
  description: 'Day of the earliest gift; kept by the rollup engine',
  icon: 'IconCalendar',
});
