def update_module_store_settings(*args, **kwargs):
    pass
