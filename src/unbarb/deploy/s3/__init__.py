"""Puts folders into an object store that speaks S3, takes them back, and checks what is there.

Every file in here needs boto3 (the extra ``s3``) and is loaded when it is asked for.
"""
