// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineObject, FieldType, OnDeleteAction, RelationType } from 'twenty-sdk/define';

import { GIFT, PERSON, SOFT_CREDIT } from '../objects';

export default defineObject({
  universalIdentifier: SOFT_CREDIT,
  nameSingular: 'softCredit',
  namePlural: 'softCredits',
  labelSingular: 'Soft credit',
  labelPlural: 'Soft credits',
  description: 'A person who is thanked for a gift that another gave, for all or a part of it',
  icon: 'IconHeartHandshake',
  labelIdentifierFieldMetadataUniversalIdentifier: 'a16dec10-b6fd-507b-bb34-170114fe067c',
  fields: [
    {
      universalIdentifier: 'a16dec10-b6fd-507b-bb34-170114fe067c',
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: '46b3e3e3-1ce7-50fd-ac1e-1b551d58b01e',
      type: FieldType.CURRENCY,
      name: 'amount',
      label: 'Amount',
      icon: 'IconCoins',
    },
    {
      universalIdentifier: '11be0b15-1fea-57d2-80d3-d1f366aa6615',
      type: FieldType.TEXT,
      name: 'role',
      label: 'Role',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'c7ddc3b8-fa92-50e6-a7b3-bdfb069b2fb6',
      type: FieldType.RELATION,
      name: 'person',
      label: 'Person',
      icon: 'IconUser',
      relationTargetObjectMetadataUniversalIdentifier: PERSON,
      relationTargetFieldMetadataUniversalIdentifier: 'b2d506e1-d056-5eea-9e5d-fb4c71cd8d9f',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'personId' },
    },
    {
      universalIdentifier: 'e6a10930-a046-5903-aa65-521125fba767',
      type: FieldType.RELATION,
      name: 'gift',
      label: 'Gift',
      icon: 'IconGift',
      relationTargetObjectMetadataUniversalIdentifier: GIFT,
      relationTargetFieldMetadataUniversalIdentifier: '4b6fd413-0903-5abd-a791-27d9b1d4ba77',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'giftId' },
    },
  ],
});
