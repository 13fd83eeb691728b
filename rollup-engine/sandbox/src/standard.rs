//! The objects that every workspace starts with, and how fields are made.
//!
//! `person` and `company` have the fields that a real workspace shows; of the relations to objects that are not here
//! (notes, tasks, attachments …) only the always empty lists remain.

use serde_json::{Value, json};

use crate::names::pascal;
use crate::profile::Profile;
use crate::schema::{ActorPart, Field, Object, Part, PartKind, Shape, Slot, composite_parts, plain_part};
use crate::workspace::Workspace;

/// What a new field is made from
#[derive(Clone, Debug)]
pub(crate) struct FieldPlan<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) description: Option<String>,
    pub(crate) icon: Option<String>,
    pub(crate) options: Value,
    pub(crate) default_value: Value,
    pub(crate) settings: Value,
    pub(crate) is_unique: bool,
    pub(crate) is_custom: bool,
}

impl<'a> FieldPlan<'a> {
    /// A nullable field without options
    pub(crate) fn new(kind: &'a str, name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind,
            description: None,
            icon: None,
            options: Value::Null,
            default_value: Value::Null,
            settings: Value::Null,
            is_unique: false,
            is_custom: true,
        }
    }

    /// The same, with unique values
    pub(crate) fn unique(mut self) -> Self {
        self.is_unique = true;
        self
    }
}

/// A workspace with the standard objects `person` and `company`
pub(crate) fn new_workspace(profile: Profile, direct: bool, seed: u64) -> Workspace {
    let mut workspace = Workspace::new(profile, direct, seed);
    install(&mut workspace);
    workspace
}

fn install(workspace: &mut Workspace) {
    let company = new_object(workspace, ["company", "companies", "Company", "Companies"], false);
    let person = new_object(workspace, ["person", "people", "Person", "People"], false);

    system_fields(workspace, company);
    standard_field(workspace, company, FieldPlan::new("TEXT", "name", "Name"));
    standard_field(workspace, company, FieldPlan::new("LINKS", "domainName", "Domain Name").unique());
    standard_field(workspace, company, FieldPlan::new("ADDRESS", "address", "Address"));
    standard_field(workspace, company, FieldPlan::new("LINKS", "linkedinLink", "Linkedin"));
    standard_field(workspace, company, FieldPlan::new("CURRENCY", "annualRevenue", "ARR"));
    standard_field(workspace, company, FieldPlan::new("NUMBER", "employees", "Employees"));
    lone_relation(workspace, company, "accountOwner", "Account Owner");
    tail_fields(workspace, company);
    for list in ["attachments", "noteTargets", "opportunities", "taskTargets", "timelineActivities"] {
        empty_list(workspace, company, list);
    }

    system_fields(workspace, person);
    standard_field(workspace, person, FieldPlan::new("FULL_NAME", "name", "Name"));
    standard_field(workspace, person, FieldPlan::new("EMAILS", "emails", "Emails").unique());
    standard_field(workspace, person, FieldPlan::new("LINKS", "linkedinLink", "Linkedin"));
    standard_field(workspace, person, FieldPlan::new("TEXT", "jobTitle", "Job Title"));
    standard_field(workspace, person, FieldPlan::new("PHONES", "phones", "Phones"));
    standard_field(workspace, person, FieldPlan::new("TEXT", "avatarUrl", "Avatar"));
    standard_field(workspace, person, FieldPlan::new("FILES", "avatarFile", "Avatar file"));
    tail_fields(workspace, person);
    relation(workspace, person, ("company", "Company"), company, ("people", "People"), false);
    for list in [
        "attachments",
        "calendarEventParticipants",
        "listMemberships",
        "messageParticipants",
        "noteTargets",
        "pointOfContactForOpportunities",
        "taskTargets",
        "timelineActivities",
    ] {
        empty_list(workspace, person, list);
    }
}

/// Adds an object with nothing in it. `names`: singular, plural, and their labels
pub(crate) fn new_object(workspace: &mut Workspace, names: [&str; 4], is_custom: bool) -> usize {
    let [singular, plural, label_singular, label_plural] = names.map(str::to_owned);
    let id = workspace.new_id();
    workspace.add_object(Object {
        id,
        singular,
        plural,
        label_singular,
        label_plural,
        description: None,
        icon: None,
        is_custom,
        is_active: true,
        is_label_synced: false,
        fields: Vec::new(),
        width: 0,
        is_gone: false,
    })
}

/// Adds a custom object with the fields that each one has.
pub(crate) fn custom_object(workspace: &mut Workspace, names: [&str; 4]) -> usize {
    let number = new_object(workspace, names, true);
    standard_field(workspace, number, FieldPlan::new("TEXT", "name", "Name"));
    system_fields(workspace, number);
    tail_fields(workspace, number);
    for list in ["attachments", "noteTargets", "taskTargets", "timelineActivities"] {
        empty_list(workspace, number, list);
    }
    number
}

fn system_fields(workspace: &mut Workspace, object: usize) {
    let fixed = [
        ("id", "Id", "UUID", PartKind::Id, Slot::Id, false),
        ("createdAt", "Creation date", "DATE_TIME", PartKind::Time, Slot::CreatedAt, false),
        ("updatedAt", "Last update", "DATE_TIME", PartKind::Time, Slot::UpdatedAt, false),
        ("deletedAt", "Deleted at", "DATE_TIME", PartKind::Time, Slot::DeletedAt, true),
    ];
    for (name, label, kind, part, slot, is_nullable) in fixed {
        let parts = vec![Part { name: "", kind: part, slot }];
        add_system_field(workspace, object, (name, label, kind), Shape::Plain, parts, is_nullable);
    }
}

fn tail_fields(workspace: &mut Workspace, object: usize) {
    let position = vec![Part { name: "", kind: PartKind::Number, slot: Slot::Position }];
    add_system_field(workspace, object, ("position", "Position", "POSITION"), Shape::Plain, position, false);
    for (name, label, slot) in [
        ("createdBy", "Created by", Slot::CreatedBy as fn(ActorPart) -> Slot),
        ("updatedBy", "Updated by", Slot::UpdatedBy as fn(ActorPart) -> Slot),
    ] {
        let parts = vec![
            Part { name: "source", kind: PartKind::Code, slot: slot(ActorPart::Source) },
            Part { name: "workspaceMemberId", kind: PartKind::Id, slot: slot(ActorPart::WorkspaceMember) },
            Part { name: "name", kind: PartKind::Text, slot: slot(ActorPart::Name) },
            Part { name: "context", kind: PartKind::Json, slot: slot(ActorPart::Context) },
        ];
        add_system_field(workspace, object, (name, label, "ACTOR"), Shape::Composite, parts, false);
    }
    let search = vec![Part { name: "", kind: PartKind::Code, slot: Slot::Search }];
    add_system_field(workspace, object, ("searchVector", "Search vector", "TS_VECTOR"), Shape::Plain, search, true);
}

fn add_system_field(
    workspace: &mut Workspace,
    object: usize,
    (name, label, kind): (&str, &str, &str),
    shape: Shape,
    parts: Vec<Part>,
    is_nullable: bool,
) {
    let plan = FieldPlan { is_custom: false, ..FieldPlan::new(kind, name, label) };
    let mut field = blank_field(workspace, &plan, shape, parts);
    field.is_system = true;
    field.is_nullable = is_nullable;
    workspace.add_field(object, field);
}

fn standard_field(workspace: &mut Workspace, object: usize, plan: FieldPlan<'_>) {
    plain_field(workspace, object, &FieldPlan { is_custom: false, ..plan });
}

/// A relation to an object that does not exist here: an id that points nowhere
fn lone_relation(workspace: &mut Workspace, object: usize, name: &str, label: &str) {
    let Some(slot) = workspace.schema.objects.get_mut(object).map(Object::take_cell) else { return };
    let plan = FieldPlan { is_custom: false, ..FieldPlan::new("RELATION", name, label) };
    let shape = Shape::ManyToOne { target: None, join: format!("{name}Id") };
    let mut field = blank_field(workspace, &plan, shape, vec![Part { name: "", kind: PartKind::Id, slot }]);
    field.settings = many_to_one_settings(name);
    workspace.add_field(object, field);
}

fn empty_list(workspace: &mut Workspace, object: usize, name: &str) {
    let plan = FieldPlan { is_custom: false, ..FieldPlan::new("RELATION", name, name) };
    let shape = Shape::OneToMany { target: None, slot: 0 };
    let mut field = blank_field(workspace, &plan, shape, Vec::new());
    field.settings = json!({"relationType": "ONE_TO_MANY"});
    workspace.add_field(object, field);
}

fn many_to_one_settings(name: &str) -> Value {
    json!({"onDelete": "SET_NULL", "relationType": "MANY_TO_ONE", "joinColumnName": format!("{name}Id")})
}

fn blank_field(workspace: &mut Workspace, plan: &FieldPlan<'_>, shape: Shape, parts: Vec<Part>) -> Field {
    Field {
        id: workspace.new_id(),
        name: plan.name.to_owned(),
        label: plan.label.to_owned(),
        description: plan.description.clone(),
        icon: plan.icon.clone(),
        kind: plan.kind.to_owned(),
        shape,
        parts,
        options: plan.options.clone(),
        default_value: plan.default_value.clone(),
        settings: plan.settings.clone(),
        is_unique: plan.is_unique,
        is_nullable: true,
        is_active: true,
        is_system: false,
        is_custom: plan.is_custom,
    }
}

/// Adds a field that is not a relation; nothing for a type that has no columns.
pub(crate) fn plain_field(workspace: &mut Workspace, object: usize, plan: &FieldPlan<'_>) -> Option<()> {
    let target = workspace.schema.objects.get_mut(object)?;
    let (shape, parts) = if let Some(parts) = composite_parts(plan.kind) {
        let parts = parts.iter().map(|(name, kind)| Part { name, kind: *kind, slot: target.take_cell() }).collect();
        (Shape::Composite, parts)
    } else {
        let kind = plain_part(plan.kind)?;
        (Shape::Plain, vec![Part { name: "", kind, slot: target.take_cell() }])
    };
    let field = blank_field(workspace, plan, shape, parts);
    workspace.add_field(object, field);
    Some(())
}

/// Adds a relation from the many side, and its list on the one side.
pub(crate) fn relation(
    workspace: &mut Workspace,
    object: usize,
    (name, label): (&str, &str),
    target: usize,
    (list, list_label): (&str, &str),
    is_custom: bool,
) -> Option<()> {
    let Slot::Cell(cell) = workspace.schema.objects.get_mut(object)?.take_cell() else { return None };
    let many = workspace.schema.object(object)?.label_plural.clone();
    let one = workspace.schema.object(target)?.label_singular.clone();
    let plan = FieldPlan {
        is_custom,
        settings: many_to_one_settings(name),
        description: Some(format!("{} tied to the {one}", pascal(&many))),
        icon: Some("IconRelationOneToMany".into()),
        ..FieldPlan::new("RELATION", name, label)
    };
    let shape = Shape::ManyToOne { target: Some(target), join: format!("{name}Id") };
    let parts = vec![Part { name: "", kind: PartKind::Id, slot: Slot::Cell(cell) }];
    let field = blank_field(workspace, &plan, shape, parts);
    workspace.add_field(object, field);

    let plan = FieldPlan {
        is_custom,
        settings: json!({"relationType": "ONE_TO_MANY"}),
        icon: Some("IconRelationManyToOne".into()),
        ..FieldPlan::new("RELATION", list, list_label)
    };
    let field = blank_field(workspace, &plan, Shape::OneToMany { target: Some(object), slot: cell }, Vec::new());
    workspace.add_field(target, field);
    Some(())
}
