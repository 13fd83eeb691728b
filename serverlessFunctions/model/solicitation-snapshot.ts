// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineObject, FieldType, OnDeleteAction, RelationType } from 'twenty-sdk/define';

import { APPEAL, APPEAL_SEGMENT, SOLICITATION_SNAPSHOT } from '../objects';

export default defineObject({
  universalIdentifier: SOLICITATION_SNAPSHOT,
  nameSingular: 'solicitationSnapshot',
  namePlural: 'solicitationSnapshots',
  labelSingular: 'Solicitation snapshot',
  labelPlural: 'Solicitation snapshots',
  description: 'How many people an appeal had asked at a time',
  icon: 'IconCamera',
  labelIdentifierFieldMetadataUniversalIdentifier: '3236be4f-c1d3-5d63-a27c-e82ca0666e68',
  fields: [
    {
      universalIdentifier: '3236be4f-c1d3-5d63-a27c-e82ca0666e68',
      type: FieldType.TEXT,
      name: 'name',
      label: 'Name',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'a3bb9403-0a75-5d78-81c0-5d272a831ef3',
      type: FieldType.NUMBER,
      name: 'countSolicited',
      label: 'Count solicited',
      icon: 'IconHash',
    },
    {
      universalIdentifier: '3f153e15-0d05-590f-9d21-bb24728e48d2',
      type: FieldType.TEXT,
      name: 'source',
      label: 'Source',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: 'c5fcef4c-f509-5d2f-9894-a6046120a49d',
      type: FieldType.TEXT,
      name: 'notes',
      label: 'Notes',
      icon: 'IconAbc',
    },
    {
      universalIdentifier: '82814057-578c-58a8-b4a6-993e93ddb5b2',
      type: FieldType.DATE_TIME,
      name: 'capturedAt',
      label: 'Captured at',
      icon: 'IconClock',
    },
    {
      universalIdentifier: '953894d5-b149-594c-9b42-48e5e3cbe6e6',
      type: FieldType.RELATION,
      name: 'appeal',
      label: 'Appeal',
      icon: 'IconSpeakerphone',
      relationTargetObjectMetadataUniversalIdentifier: APPEAL,
      relationTargetFieldMetadataUniversalIdentifier: '865b3689-5f23-5992-8b32-1dd5bd047f8d',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'appealId' },
    },
    {
      universalIdentifier: '42425e7a-2d4d-56b6-bf5c-6f21ed14ec37',
      type: FieldType.RELATION,
      name: 'appealSegment',
      label: 'Appeal segment',
      icon: 'IconUsersGroup',
      relationTargetObjectMetadataUniversalIdentifier: APPEAL_SEGMENT,
      relationTargetFieldMetadataUniversalIdentifier: 'ea175fa5-b46d-5489-acbe-c36d1fbf7013',
      universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'appealSegmentId' },
    },
  ],
});
