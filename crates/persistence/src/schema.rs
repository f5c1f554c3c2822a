//! The tables as the query builder sees them; `migrations/` is the truth, and a test compares the two.

diesel::table! {
    users (user_id) {
        user_id -> BigInt,
        email -> Text,
        name -> Text,
        is_active -> Bool,
        create_date -> Timestamptz,
        email_verified -> Bool,
    }
}

diesel::table! {
    sessions (session_key) {
        session_key -> Binary,
        user_id -> BigInt,
        create_date -> Timestamptz,
        expires -> Timestamptz,
        session_id -> BigInt,
        way -> Text,
        last_seen -> Timestamptz,
        idle_seconds -> BigInt,
        user_agent -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    apps (app_id) {
        app_id -> BigInt,
        name -> Text,
        slug -> Text,
        owner_id -> BigInt,
        agent_rate_limit -> BigInt,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
        max_file_size_mb -> BigInt,
    }
}

diesel::table! {
    ai_services (service_id) {
        service_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        provider -> Text,
        model -> Text,
        base_url -> Nullable<Text>,
        api_version -> Nullable<Text>,
        api_key_sealed -> Nullable<Binary>,
        api_key_mask -> Nullable<Text>,
        temperature -> Nullable<Float4>,
        max_tokens -> Nullable<BigInt>,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::table! {
    agents (agent_id) {
        agent_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        system_prompt -> Nullable<Text>,
        prompt_template -> Nullable<Text>,
        service_id -> Nullable<BigInt>,
        temperature -> Nullable<Float4>,
        max_tokens -> Nullable<BigInt>,
        has_memory -> Bool,
        memory_max_messages -> BigInt,
        memory_max_tokens -> BigInt,
        request_count -> BigInt,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
        silo_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    services (service_id) {
        service_id -> Text,
        slot_id -> BigInt,
        generation -> BigInt,
        service_type -> Text,
        registered -> Timestamptz,
        pid -> BigInt,
        spawn_token -> Nullable<Text>,
        started -> Nullable<Text>,
        port -> Nullable<BigInt>,
        health_endpoint -> Nullable<Text>,
        capabilities -> Nullable<Jsonb>,
        metadata -> Nullable<Jsonb>,
        phase -> Text,
        since -> Timestamptz,
        last_seen -> Timestamptz,
        status -> Nullable<Text>,
        metrics -> Nullable<Jsonb>,
        seq -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    service_commands (command_id) {
        command_id -> Text,
        service_id -> Text,
        generation -> BigInt,
        action -> Text,
        target -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        issued -> Timestamptz,
        deadline -> Timestamptz,
        state -> Text,
        closed -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    embedding_services (service_id) {
        service_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        provider -> Text,
        model -> Text,
        base_url -> Nullable<Text>,
        api_version -> Nullable<Text>,
        api_key_sealed -> Nullable<Binary>,
        api_key_mask -> Nullable<Text>,
        dimensions -> Nullable<BigInt>,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::table! {
    silos (silo_id) {
        silo_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        silo_type -> Text,
        vector_db_type -> Text,
        embedding_service_id -> Nullable<BigInt>,
        reranking_service_id -> Nullable<BigInt>,
        retrieval_count -> BigInt,
        embedding_model -> Nullable<Text>,
        dimensions -> Nullable<BigInt>,
        epoch -> BigInt,
        next_service_id -> Nullable<BigInt>,
        next_model -> Nullable<Text>,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::table! {
    repositories (repo_id) {
        repo_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        silo_id -> BigInt,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::table! {
    folders (folder_id) {
        folder_id -> BigInt,
        app_id -> BigInt,
        repo_id -> BigInt,
        parent_folder_id -> Nullable<BigInt>,
        name -> Text,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::table! {
    domains (domain_id) {
        domain_id -> BigInt,
        app_id -> BigInt,
        name -> Text,
        description -> Nullable<Text>,
        base_url -> Text,
        silo_id -> BigInt,
        policy -> Jsonb,
        next_crawl -> Nullable<Timestamptz>,
        create_date -> Timestamptz,
        update_date -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(agents, ai_services);
