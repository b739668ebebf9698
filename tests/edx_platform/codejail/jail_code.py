def configure(*args, **kwargs):
    pass
