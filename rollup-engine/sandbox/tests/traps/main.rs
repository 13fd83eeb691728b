//! What a client can get wrong with a Twenty, one behaviour a file.

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod csv;
#[cfg(test)]
mod currency;
#[cfg(test)]
mod deletes;
#[cfg(test)]
mod depth;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults_on_demand;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod graphql;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod null_filters;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod rate_limit;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod sorting;
#[cfg(test)]
mod upserts;
#[cfg(test)]
mod virtual_time;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod wire;
