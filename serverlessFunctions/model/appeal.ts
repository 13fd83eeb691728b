import { defineObject, FieldType, RelationType } from 'twenty-sdk/define';

import { APPEAL, GIFT } from '../objects';
import { totalField } from '../sdk-features';
import { APPEAL_GIFT_COUNT, APPEAL_GIFTS, APPEAL_NAME, APPEAL_RAISED_AMOUNT, GIFT_APPEAL } from './identifiers';

export default defineObject({
  universalIdentifier: APPEAL,
  nameSingular: 'appeal',
  namePlural: 'appeals',
  labelSingular: 'Appeal',
  labelPlural: 'Appeals',
  description: 'A request for gifts',
  icon: 'IconSpeakerphone',
  labelIdentifierFieldMetadataUniversalIdentifier: APPEAL_NAME,
  fields: [
    {
      universalIdentifier: APPEAL_NAME,
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      description: 'What the appeal is called',
      icon: 'IconAbc',
    },
    {
      ...totalField,
      universalIdentifier: APPEAL_RAISED_AMOUNT,
      type: FieldType.CURRENCY,
      name: 'raisedAmount',
      label: 'Raised amount',
      description: 'Its gifts added up; kept by the rollup engine',
      icon: 'IconCoins',
    },
    {
      ...totalField,
      universalIdentifier: APPEAL_GIFT_COUNT,
      type: FieldType.NUMBER,
      name: 'giftCount',
      label: 'Gift count',
      description: 'How many gifts it brought; kept by the rollup engine',
      icon: 'IconHash',
    },
    {
      universalIdentifier: APPEAL_GIFTS,
      type: FieldType.RELATION,
      name: 'gifts',
      label: 'Gifts',
      description: 'The gifts that answer it',
      icon: 'IconGift',
      relationTargetObjectMetadataUniversalIdentifier: GIFT,
      relationTargetFieldMetadataUniversalIdentifier: GIFT_APPEAL,
      universalSettings: { relationType: RelationType.ONE_TO_MANY },
    },
  ],
});
